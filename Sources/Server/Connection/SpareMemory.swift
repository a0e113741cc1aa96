import HTTP
import NIOCore

/// The memory of a loop's last request, for the next one on whichever connection: it is still in the processor's caches,
/// and a connection that waits for a request holds none.
struct SpareMemory {
    /// A buffer that has grown beyond this is not kept.
    private static let keptCapacity = 64 * 1024

    /// A finished exchange, which somebody may still hold.
    private var exchange: HTTP1Exchange?
    /// A head without bytes, which nobody else holds.
    var head: RequestHead?
    /// What was received, all of it read.
    private var input = ByteBuffer()

    /// An exchange that nobody else holds, if there is one.
    mutating func takeExchange() -> HTTP1Exchange? {
        var taken: HTTP1Exchange?
        swap(&taken, &exchange)
        return isKnownUniquelyReferenced(&taken) ? taken : nil
    }

    /// Keeps a finished exchange, with its request.
    mutating func keep(_ finished: HTTP1Exchange) {
        if exchange == nil { exchange = finished }
    }

    /// Room for what is to be received in `buffer`, all of which was read.
    mutating func prepare(_ buffer: inout ByteBuffer) {
        // The last request holds the bytes it came in.
        if isKnownUniquelyReferenced(&exchange), var last = exchange?.takeHead(), last.releaseBytes(), head == nil {
            head = consume last
        }
        if buffer.capacity == 0 { swap(&buffer, &input) }
        if buffer.capacity > 0 { buffer.clear() }
    }

    /// Takes the memory of `buffer`, all of which was read, unless it is needed again soon.
    mutating func keep(_ buffer: inout ByteBuffer, isIdle: Bool) {
        if buffer.capacity <= Self.keptCapacity, input.capacity == 0 {
            swap(&buffer, &input)
        } else if isIdle {
            buffer = ByteBuffer()
        }
    }
}
