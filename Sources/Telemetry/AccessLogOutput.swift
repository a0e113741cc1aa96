import Glibc
import Platform

/// Where the access log's lines go.
public enum AccessLogDestination: Equatable, Sendable {
    case standardOutput
    /// A file, appended to; created when absent.
    case file(String)
}

/// The open destination of the access log; used by the writer's thread alone.
///
/// Several workers share one destination: a file is appended to in whole batches, a pipe in pieces of whole lines that the
/// kernel does not interleave (`PIPE_BUF`).
final class AccessLogOutput: @unchecked Sendable {
    private let path: String?
    private var number: Int32
    private var isPipe: Bool
    /// Whether the last write stopped inside a line: the next one ends it first.
    private var isInsideLine = false

    private static let pipeLimit = 4096

    init(_ destination: AccessLogDestination) throws(SystemError) {
        switch destination {
        case .standardOutput:
            path = nil
            number = STDOUT_FILENO
        case .file(let path):
            self.path = path
            number = try Descriptor.appending(to: path).release()
        }
        isPipe = AccessLogOutput.isPipe(number)
    }

    deinit {
        if path != nil { close(number) }
    }

    func reopen() throws(SystemError) {
        guard let path else { return }
        let opened = try Descriptor.appending(to: path).release()
        close(number)
        number = opened
        isPipe = AccessLogOutput.isPipe(opened)
        isInsideLine = false
    }

    /// Writes whole lines.
    /// - Returns: nil, or what failed and how many lines were not (or not wholly) written.
    func write(_ lines: [UInt8]) -> (error: SystemError, lines: Int)? {
        guard !lines.isEmpty else { return nil }
        var rest = lines[...]
        do {
            if isInsideLine {
                _ = try put([0x0A])
                isInsideLine = false
            }
            while !rest.isEmpty {
                var piece = rest
                if isPipe, rest.count > AccessLogOutput.pipeLimit {
                    let end = rest.prefix(AccessLogOutput.pipeLimit).lastIndex(of: 0x0A) ?? rest.firstIndex(of: 0x0A)
                    piece = rest[...(end ?? rest.endIndex - 1)]
                }
                while !piece.isEmpty {
                    let count = try put(piece)
                    piece = piece.dropFirst(count)
                    rest = rest.dropFirst(count)
                }
            }
            return nil
        } catch {
            isInsideLine = rest.startIndex > 0 && lines[rest.startIndex - 1] != 0x0A
            return (error, rest.count { $0 == 0x0A })
        }
    }

    private func put(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> Int {
        while true {
            let count = bytes.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                // Somebody made the terminal or pipe non-blocking, for all who share it.
                var waiting = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
                _ = poll(&waiting, 1, -1)
            default: throw SystemError(operation: "write \(path ?? "standard output")", code: errno)
            }
        }
    }

    private static func isPipe(_ number: Int32) -> Bool {
        var status = stat()
        return fstat(number, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
    }
}
