import NIOCore
import Synchronization

/// A complete request body, in memory or in a file, as an application reads it.
final class BodyInput: WSGIInput {
    private struct State {
        /// What of the body is in memory and not read yet.
        var memory: ByteBuffer
        /// Where in the file the bytes after `memory` are.
        var offset = 0
    }

    /// The body of a request without one.
    static let empty = BodyInput(memory: ByteBuffer(), file: nil, count: 0)

    /// What is read from the file at a time when lines are looked for.
    private static let readUnit = 64 * 1024

    let count: Int
    var isComplete: Bool { file == nil }
    private let file: SpoolFile?
    private let state: Mutex<State>

    init(memory: ByteBuffer, file: SpoolFile?, count: Int) {
        self.count = count
        self.file = file
        state = Mutex(State(memory: memory))
    }

    func read(_ size: Int?) throws -> ByteBuffer {
        try state.withLock { state in
            let left = state.memory.readableBytes + (file == nil ? 0 : count - state.offset)
            let wanted = min(left, max(0, size ?? left))
            if wanted > state.memory.readableBytes { try load(&state, wanted - state.memory.readableBytes) }
            return state.memory.readSlice(length: min(wanted, state.memory.readableBytes)) ?? ByteBuffer()
        }
    }

    func readLine() throws -> ByteBuffer {
        try state.withLock { state in
            var searched = 0
            while true {
                let unread = state.memory.readableBytesView.dropFirst(searched)
                if let feed = unread.firstIndex(of: 0x0A) {
                    return state.memory.readSlice(length: feed - state.memory.readerIndex + 1) ?? ByteBuffer()
                }
                searched = state.memory.readableBytes
                try load(&state, Self.readUnit)
                if state.memory.readableBytes == searched {
                    return state.memory.readSlice(length: searched) ?? ByteBuffer()
                }
            }
        }
    }

    /// Brings up to `size` more bytes of the file into memory.
    private func load(_ state: inout State, _ size: Int) throws {
        guard let file, state.offset < count else { return }
        var bytes = try file.read(at: state.offset, count: min(size, count - state.offset))
        guard bytes.readableBytes > 0 else { throw WSGIError.incompleteBody(.disconnected) }
        state.offset += bytes.readableBytes
        if state.memory.readableBytes == 0 { state.memory = bytes } else { state.memory.writeBuffer(&bytes) }
    }
}
