/// An event loop that can be asked to wait for descriptors beside its own: those of a loop that is its guest.
public protocol DescriptorLoop: AnyObject {
    /// Calls `isReady` whenever `descriptor` has something to read, or has ended, until ``forget(_:)``. On the loop.
    func whenReadable(_ descriptor: Int32, _ isReady: @escaping () -> Void) throws(SystemError)
    /// Ends ``whenReadable(_:_:)``, before the descriptor is closed. On the loop.
    func forget(_ descriptor: Int32)
}
