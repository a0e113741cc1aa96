import Diagnosis
import Glibc

#if DEBUG
    import Runtime

    /// Where an error was thrown. Swift's errors do not know; but its runtime calls a function before each `throw`, by which
    /// the stack is kept for the request that is being answered. In builds for debugging alone: others have no lines to show.
    struct ThrowTrace: Sendable {
        private let stack: Backtrace
        private let type: ObjectIdentifier
        /// Where the error is in memory; nil for one that is thrown by its type.
        private let address: UInt?
        /// The error itself, so that no other gets its address.
        private let error: (any Error)?

        /// The most frames that are shown.
        private static let longest = 20
        /// The most frames that are kept: each costs time to be named.
        private static let depth = 24

        /// From now on every `throw` on behalf of a request with a profile is kept there. Once.
        static let isOn: Bool = {
            guard let untyped = dlsym(nil, "_swift_willThrow"), let typed = dlsym(nil, "_swift_willThrowTypedImpl")
            else { return false }
            chain = Hooks(
                untyped: untyped.assumingMemoryBound(to: Hooks.Untyped?.self).pointee,
                typed: typed.assumingMemoryBound(to: Hooks.Typed?.self).pointee)
            untyped.assumingMemoryBound(to: Hooks.Untyped?.self).pointee = { error in
                // A reference to the error is what `any Error` is.
                if let address = error {
                    let error = unsafeBitCast(address, to: (any Error).self)
                    ThrowTrace.keep(
                        ObjectIdentifier(Swift.type(of: error) as Any.Type), UInt(bitPattern: address), error)
                }
                ThrowTrace.chain.untyped?(error)
            }
            typed.assumingMemoryBound(to: Hooks.Typed?.self).pointee = { error, type, conformance in
                if let type { ThrowTrace.keep(ObjectIdentifier(unsafeBitCast(type, to: Any.Type.self)), nil, nil) }
                ThrowTrace.chain.typed?(error, type, conformance)
            }
            return true
        }()

        /// Who was there before.
        private struct Hooks {
            typealias Untyped = @convention(c) (UnsafeMutableRawPointer?) -> Void
            typealias Typed =
                @convention(c) (UnsafeMutableRawPointer?, UnsafeRawPointer?, UnsafeRawPointer?) -> Void

            var untyped: Untyped?
            var typed: Typed?
        }

        // Written before the functions that read it are known to anybody.
        nonisolated(unsafe) private static var chain = Hooks()

        private static func keep(_ type: ObjectIdentifier, _ address: UInt?, _ error: (any Error)?) {
            guard let profile = RequestProfile.current else { return }
            // What is thrown on the way is nobody's.
            RequestProfile.$current.withValue(nil) {
                // A view stands near the throw; what is below it are the framework and the gateway.
                guard let stack = try? Backtrace.capture(limit: depth, top: 0) else { return }
                profile.keep(ThrowTrace(stack: stack, type: type, address: address, error: error))
            }
        }

        /// Whether it is of an error that has been thrown before, and is only handed on.
        func isAgain(_ other: ThrowTrace) -> Bool {
            address != nil && address == other.address
        }

        /// The places where `error` was thrown: by the last of `traces`, which are of errors of one request, that knows of any.
        /// (An error that comes from another thread is thrown there, and here once more.)
        static func excerpts(of error: any Error, _ traces: [ThrowTrace], editor: EditorLink?) -> [SourceExcerpt] {
            let type = ObjectIdentifier(Swift.type(of: error) as Any.Type)
            let found = traces.reversed().lazy.filter { $0.type == type }.map { $0.excerpts(editor: editor) }
            return found.first { !$0.isEmpty } ?? []
        }

        /// The places in the site's own sources, the last call first.
        private func excerpts(editor: EditorLink?) -> [SourceExcerpt] {
            let own = Self.directory
            var excerpts: [SourceExcerpt] = []
            for frame in stack.symbolicated()?.frames ?? [] {
                guard excerpts.count < Self.longest, let symbol = frame.symbol, !symbol.isSwiftThunk,
                    let location = symbol.sourceLocation, location.line > 0, !location.path.hasPrefix(own),
                    !location.path.contains("/.build/checkouts/"),
                    access(location.path, R_OK) == 0
                else { continue }
                excerpts.append(
                    SourceExcerpt(
                        file: location.path, line: location.line,
                        column: location.column > 0 ? location.column : nil, note: "in \(symbol.name)",
                        editor: editor))
            }
            return excerpts
        }

        /// The sources of Portico, which say nothing about a mistake in a site.
        private static let directory = String(
            #filePath.prefix(#filePath.utf8.count - "Web/Debug/ThrowTrace.swift".utf8.count))
    }
#else
    /// Where an error was thrown: unknown in a build like this.
    struct ThrowTrace: Sendable {
        static let isOn = false

        func isAgain(_ other: ThrowTrace) -> Bool { false }

        static func excerpts(of error: any Error, _ traces: [ThrowTrace], editor: EditorLink?) -> [SourceExcerpt] { [] }
    }
#endif
