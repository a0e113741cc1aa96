import CPlatform
import Glibc

/// A queue that processes share: whoever has it may put a descriptor in, with some bytes that go along, and take the next
/// one out. What nobody has taken yet waits in the kernel.
public final class DescriptorQueue: Sendable {
    /// What goes along with a descriptor at most, in bytes.
    public static let longest = 128 << 10

    /// Where descriptors are put in, and where they come out.
    public let input: Descriptor
    public let output: Descriptor

    public init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        // Packets: each descriptor stays with its bytes.
        let type = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw SystemError(operation: "socketpair", code: errno) }
        input = Descriptor(adopting: ends[0])
        output = Descriptor(adopting: ends[1])
    }

    /// The queue whose ends were inherited.
    public init(input: consuming Descriptor, output: consuming Descriptor) {
        self.input = input
        self.output = output
    }

    /// Puts a copy of `descriptor` in. Returns false when there is no room, now or, beyond ``longest``, ever.
    public func put(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
        guard bytes.count <= Self.longest else { return false }
        // A packet of no bytes would be taken for the end.
        let packet = [0] + bytes
        return cplatform_send_descriptor(input.rawValue, descriptor, packet, packet.count) == 0
    }

    /// Takes the next one out, which is then the caller's; nil when there is none.
    public func take() -> (descriptor: Int32, bytes: [UInt8])? {
        var packet = [UInt8](repeating: 0, count: Self.longest + 1)
        var descriptor: Int32 = -1
        let count = cplatform_receive_descriptor(output.rawValue, &descriptor, &packet, packet.count)
        guard count > 0, descriptor >= 0 else { return nil }
        return (descriptor, Array(packet[1..<count]))
    }
}
