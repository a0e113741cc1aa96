import Glibc
import HTTP

/// Writes the parts of a response head one behind the other into memory that is known to be large enough.
struct HeadWriter {
    private let start: UnsafeMutableRawPointer
    private var next: UnsafeMutableRawPointer
    private let end: UnsafeMutableRawPointer

    init(_ free: UnsafeMutableRawBufferPointer) {
        // A buffer that was asked for room has an address.
        guard let base = free.baseAddress else { preconditionFailure("no memory to write to") }
        start = base
        next = base
        end = base + free.count
    }

    /// How much was written.
    var count: Int { next - start }

    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= end - next)
        if let base = bytes.baseAddress { memcpy(next, base, bytes.count) }
        next += bytes.count
    }

    mutating func write(_ text: StaticString) {
        write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// The whole line, with the registered reason phrase (RFC 9112 §4).
    mutating func writeStatusLine(_ code: Int) {
        if code == 200 { return write("HTTP/1.1 200 OK\r\n") }
        StatusLines.shared.withLine(code) { write($0) }
    }

    /// The field that says how the body is delimited.
    mutating func write(_ length: ResponseEncoder.BodyLength) {
        switch length {
        case .unsaid: break
        case .known(let count):
            write("Content-Length: ")
            writeNumber(count, radix: 10)
            write("\r\n")
        case .chunked: write("Transfer-Encoding: chunked\r\n")
        }
    }

    /// A number that is not negative, without making a string of it.
    mutating func writeNumber(_ number: Int, radix: UInt) {
        var rest = UInt(number)
        var digits = 0
        repeat {
            digits += 1
            rest /= radix
        } while rest > 0
        precondition(digits <= end - next)
        rest = UInt(number)
        for index in stride(from: digits - 1, through: 0, by: -1) {
            let digit = UInt8(truncatingIfNeeded: rest % radix)
            next.storeBytes(of: digit < 10 ? 0x30 + digit : 0x57 + digit, toByteOffset: index, as: UInt8.self)
            rest /= radix
        }
        next += digits
    }
}

/// The status lines of all codes with their registered reason phrases, put together once.
struct StatusLines: Sendable {
    static let shared = StatusLines()

    private static let codes = 100...999

    private let bytes: [UInt8]
    /// Where each code's line starts, with the end of the last.
    private let starts: [Int]

    private init() {
        var bytes: [UInt8] = []
        var starts: [Int] = []
        for code in Self.codes {
            starts.append(bytes.count)
            bytes += "HTTP/1.1 \(code) \(Status(code).reason)\r\n".utf8
        }
        starts.append(bytes.count)
        self.bytes = bytes
        self.starts = starts
    }

    /// Calls `body` with the line of `code`; a code out of range, which no gateway lets through, is a 500.
    func withLine(_ code: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
        let index = (Self.codes.contains(code) ? code : 500) - Self.codes.lowerBound
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[starts[index]..<starts[index + 1]])) }
    }
}
