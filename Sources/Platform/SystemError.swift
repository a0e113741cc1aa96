import Glibc

/// A system call that failed: which one, and with which `errno`.
public struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The call and its subject, for people: `open /var/log/app.log`.
    public let operation: String
    /// The `errno` of the call.
    public let code: Int32

    public init(operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    /// `open /var/log/app.log: Permission denied`.
    public var description: String { "\(operation): \(SystemError.message(code))" }

    /// The C library's text for an `errno`.
    public static func message(_ code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        // The POSIX form, which Swift imports, fills the buffer.
        _ = strerror_r(code, &buffer, buffer.count)
        return buffer.withUnsafeBufferPointer { bytes in
            String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// The result of a shim that answers a negative `errno` on failure.
    static func check(_ result: Int32, _ operation: @autoclosure () -> String) throws(SystemError) -> Int32 {
        guard result >= 0 else { throw SystemError(operation: operation(), code: -result) }
        return result
    }

    /// The result of a C call that answers -1 and sets `errno` on failure.
    static func checkErrno(_ result: Int32, _ operation: @autoclosure () -> String) throws(SystemError) -> Int32 {
        guard result >= 0 else { throw SystemError(operation: operation(), code: errno) }
        return result
    }
}
