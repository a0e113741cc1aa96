public import HTTP
public import NIOCore

/// One HTTP request, as a view over its head (ASGI HTTP spec 2.5).
///
/// A value that is one reference wide: applications hand their scope on from call to call, and the head alone is half a
/// dozen references to count each time. What a middleware changes is copied when it does.
public struct HTTPScope: Sendable {
    @usableFromInline var storage: Storage

    /// What a scope views. The gateway's channel is one, so that a request takes one object for both.
    @usableFromInline
    class Storage: @unchecked Sendable {
        // Sendable: nothing here changes; what a subclass adds it answers for.
        @usableFromInline final let request: RequestHead
        @usableFromInline final let connection: ConnectionInfo
        @usableFromInline final let rootPath: String
        @usableFromInline final let path: String
        @usableFromInline final let id: RequestID
        @usableFromInline final let eventLoop: any EventLoop
        final let state: LifespanState?
        /// Set once a middleware has changed what the application kept.
        final let ownState: [String: any Sendable]?
        /// What a direct application has made of the request before it was called.
        final let prepared: (any AnyObject & Sendable)?

        init(
            _ request: RequestHead, _ connection: ConnectionInfo, _ rootPath: String, _ path: String,
            _ id: RequestID, _ eventLoop: any EventLoop, _ state: LifespanState? = nil,
            _ ownState: [String: any Sendable]? = nil, prepared: (any AnyObject & Sendable)? = nil
        ) {
            self.request = request
            self.connection = connection
            self.rootPath = rootPath
            self.path = path
            self.id = id
            self.eventLoop = eventLoop
            self.state = state
            self.ownState = ownState
            self.prepared = prepared
        }
    }

    init(_ storage: Storage) { self.storage = storage }

    public init(
        request: RequestHead, connection: ConnectionInfo, rootPath: String, path: String, requestID: String,
        eventLoop: any EventLoop, state: LifespanState? = nil
    ) {
        storage = Storage(request, connection, rootPath, path, .text(requestID), eventLoop, state)
    }

    @inlinable public var request: RequestHead { storage.request }
    @inlinable public var connection: ConnectionInfo { storage.connection }
    /// What the access log and error pages call this request.
    public var requestID: String { storage.id.text }
    /// As ``requestID``, without making a text of it.
    @inlinable public var id: RequestID { storage.id }
    /// The event loop the request is served on.
    @inlinable public var eventLoop: any EventLoop { storage.eventLoop }

    /// ASGI's `root_path`: where the application is mounted.
    public var rootPath: String {
        @inlinable get { storage.rootPath }
        set { change(rootPath: newValue, path: path) }
    }

    /// What follows the mount, percent-decoded.
    public var path: String {
        @inlinable get { storage.path }
        set { change(rootPath: rootPath, path: newValue) }
    }

    /// What ``DirectASGIApplication/begin(_:)`` has returned; nil once a middleware has changed the scope.
    package var prepared: (any AnyObject & Sendable)? { storage.prepared }

    /// What the application kept at its start: a copy.
    public var state: [String: any Sendable] {
        get { storage.ownState ?? storage.state?.values ?? [:] }
        set {
            storage = Storage(
                request, connection, rootPath, path, storage.id, eventLoop, storage.state, newValue)
        }
    }

    private mutating func change(rootPath: String, path: String) {
        storage = Storage(
            storage.request, storage.connection, rootPath, path, storage.id, storage.eventLoop, storage.state,
            storage.ownState)
    }
}
