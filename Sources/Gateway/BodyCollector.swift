import HTTP
import NIOCore
import NIOPosix

/// Receives a request's body to its end, on the event loop: in memory as long as it is small, then into a file, which
/// another thread writes. While it writes, no more is asked for, so that a fast client does not fill the memory.
final class BodyCollector: @unchecked Sendable {
    // Sendable by confinement: touched on the exchange's loop alone; the writing thread is handed what it needs.

    enum Failure: Error {
        case body(BodyFailure)
        case storage(SpoolFile.Failure)
    }

    /// What is written to the file at a time.
    private static let spoolUnit = 256 * 1024

    private let exchange: any Exchange
    private let memory: Int
    private let directory: String
    private var completion: ((Result<BodyInput, Failure>) -> Void)?
    private var held = ByteBuffer()
    private var count = 0
    private var file: SpoolFile?
    private var isPulling = false
    private var wantsMore = false

    init(_ exchange: any Exchange, memory: Int, directory: String) {
        self.exchange = exchange
        self.memory = memory
        self.directory = directory
    }

    /// Calls `completion` once, on the event loop.
    func collect(_ completion: @escaping (Result<BodyInput, Failure>) -> Void) {
        self.completion = completion
        pull()
    }

    /// Asks for parts until one does not come at once: a loop, as parts delivered at once would nest without end.
    private func pull() {
        wantsMore = true
        guard !isPulling else { return }
        isPulling = true
        while wantsMore {
            wantsMore = false
            exchange.receive { self.take($0) }
        }
        isPulling = false
    }

    private func take(_ part: BodyPart) {
        switch part {
        case .bytes(var bytes):
            count += bytes.readableBytes
            if held.readableBytes == 0 { held = bytes } else { held.writeBuffer(&bytes) }
            if held.readableBytes > (file == nil ? memory : max(memory, Self.spoolUnit)) {
                spool { self.pull() }
            } else {
                pull()
            }
        case .end:
            guard file != nil, held.readableBytes > 0 else { return succeed() }
            spool { self.succeed() }
        case .failed(let failure): finish(.failure(.body(failure)))
        case .disconnected: finish(.failure(.body(.disconnected)))
        }
    }

    /// Moves what is held to the file, on a thread that may wait for the disk, and goes on with `next` on the loop.
    private func spool(_ next: @escaping @Sendable () -> Void) {
        let bytes = held
        held = ByteBuffer()
        let file = file
        let directory = directory
        let eventLoop = exchange.eventLoop
        NIOThreadPool.singleton.submit { _ in
            let result: Result<SpoolFile, SpoolFile.Failure>
            do throws(SpoolFile.Failure) {
                // Not `??`: its closure would lose the type of the error.
                let target = if let file { file } else { try SpoolFile(in: directory) }
                try target.append(bytes)
                result = .success(target)
            } catch {
                result = .failure(error)
            }
            eventLoop.execute {
                switch result {
                case .success(let file):
                    self.file = file
                    next()
                case .failure(let failure): self.finish(.failure(.storage(failure)))
                }
            }
        }
    }

    private func succeed() {
        finish(.success(BodyInput(memory: file == nil ? held : ByteBuffer(), file: file, count: count)))
    }

    private func finish(_ result: Result<BodyInput, Failure>) {
        let completion = completion
        self.completion = nil
        file = nil
        completion?(result)
    }
}
