import CPlatform
import Glibc

/// Memory that several processes map. Zero at first; it goes when the last mapping and the last descriptor have gone.
public final class SharedMemory: @unchecked Sendable {
    // Sendable: address and count are set once; what lies there is shared by nature, and its users go through atomics.

    public let address: UnsafeMutableRawPointer
    /// In bytes.
    public let count: Int

    /// Maps the memory behind a descriptor that ``makeDescriptor(name:count:)`` made.
    public init(mapping descriptor: Int32) throws(SystemError) {
        var status = stat()
        _ = try SystemError.checkErrno(fstat(descriptor, &status), "fstat")
        let size = Int(status.st_size)
        guard size > 0, let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
            address != MAP_FAILED
        else { throw SystemError(operation: "mmap", code: size > 0 ? errno : EINVAL) }
        self.address = address
        count = size
    }

    deinit { munmap(address, count) }

    /// So many bytes of memory as a descriptor, close-on-exec. Its size can never be changed: who maps it cannot be made
    /// to fault by another who holds it.
    public static func makeDescriptor(name: String, count: Int) throws(SystemError) -> Descriptor {
        Descriptor(adopting: try SystemError.check(cplatform_shared_memory(name, count), "memfd_create"))
    }
}
