import Synchronization

/// What an asynchronous application keeps from its start for its requests (ASGI lifespan `state`), one an event loop.
///
/// Each scope sees a copy: what it changes, adds or removes by key is its own, what the values refer to is shared.
public final class LifespanState: Sendable {
    private let storage = Mutex<[String: any Sendable]>([:])

    public init() {}

    public subscript(key: String) -> (any Sendable)? {
        get { storage.withLock { $0[key] } }
        set { storage.withLock { $0[key] = newValue } }
    }

    /// A copy of what is kept now.
    public var values: [String: any Sendable] { storage.withLock { $0 } }
}
