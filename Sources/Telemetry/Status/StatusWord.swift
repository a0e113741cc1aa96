import Synchronization

/// One number of the status memory: eight bytes that are written by one and read by many, also from other processes.
public struct StatusWord: @unchecked Sendable {
    // Sendable: the address is set once, the number is atomic. Whoever makes a word keeps its memory mapped.

    @usableFromInline let address: UnsafeMutablePointer<Atomic<UInt64>>

    @inlinable
    init(_ memory: UnsafeMutableRawPointer, _ index: Int) {
        address = memory.assumingMemoryBound(to: Atomic<UInt64>.self) + index
    }

    /// The number now.
    @inlinable public var value: UInt64 { address.pointee.load(ordering: .relaxed) }

    /// The number, before anything that is read after it.
    @inlinable public var acquired: UInt64 { address.pointee.load(ordering: .acquiring) }

    @inlinable
    public func set(_ value: UInt64) { address.pointee.store(value, ordering: .relaxed) }

    /// Sets the number, after everything that was written before.
    @inlinable
    public func publish(_ value: UInt64) { address.pointee.store(value, ordering: .releasing) }

    /// Adds, for the only writer: a load and a store, without a bus lock.
    @inlinable
    public func add(_ amount: UInt64) {
        address.pointee.store(address.pointee.load(ordering: .relaxed) &+ amount, ordering: .releasing)
    }

    /// Adds, where there may be other writers.
    @inlinable
    public func addShared(_ amount: UInt64) { address.pointee.wrappingAdd(amount, ordering: .relaxed) }

    /// As ``addShared(_:)``, where the word is a floating-point number.
    func addSharedNumber(_ amount: Double) {
        var old = value
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (isDone, found) = address.pointee.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if isDone { return }
            old = found
        }
    }
}
