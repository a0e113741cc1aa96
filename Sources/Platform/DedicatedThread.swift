import CPlatform
import Glibc

/// A thread of its own for code that blocks, outside Swift's cooperative pool.
public enum DedicatedThread {
    /// Starts a detached thread.
    /// - Parameters:
    ///   - name: shown by `top -H` and debuggers, at most 15 bytes.
    ///   - stackSize: in bytes; nil for the system's default (8 MiB of address space, touched pages count).
    public static func start(
        name: String, stackSize: Int? = nil, _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        if let stackSize { pthread_attr_setstacksize(&attributes, stackSize) }

        let box = Unmanaged.passRetained(Body(name: name, run: body))
        var thread = pthread_t()
        let error = pthread_create(
            &thread, &attributes,
            { pointer in
                guard let pointer else { return nil }
                let body = Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue()
                _ = cplatform_set_thread_name(body.name)
                body.run()
                return nil
            }, box.toOpaque())
        guard error == 0 else {
            box.release()
            throw SystemError(operation: "start thread \(name)", code: error)
        }
    }

    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }
}
