import HTTP

extension Request {
    /// What is made when first asked for. Nothing is allocated until then.
    struct Lazy: Sendable {
        private struct Values {
            var query: Result<QueryValues, any Error>?
            var form: Result<QueryValues, any Error>?
            var files = UploadedFiles()
            var cookies: [String: String]?
            /// The secret that tokens on this page are made from.
            var csrf: [UInt8]?
            var attributes: [ObjectIdentifier: any Sendable] = [:]
            /// What takes a granted handshake over.
            var webSocketView: (any WebSocketView)?
        }

        private final class Box: @unchecked Sendable {
            // Sendable: belongs to one request, whose lock is held by whoever touches it.
            var values = Values()
        }

        private var box: Box?

        private mutating func made() -> Box {
            if let box { return box }
            let made = Box()
            box = made
            return made
        }

        var query: Result<QueryValues, any Error>? {
            get { box?.values.query }
            set { made().values.query = newValue }
        }

        var form: Result<QueryValues, any Error>? {
            get { box?.values.form }
            set { made().values.form = newValue }
        }

        var files: UploadedFiles {
            get { box?.values.files ?? UploadedFiles() }
            set { made().values.files = newValue }
        }

        var cookies: [String: String]? {
            get { box?.values.cookies }
            set { made().values.cookies = newValue }
        }

        var csrf: [UInt8]? {
            get { box?.values.csrf }
            set { made().values.csrf = newValue }
        }

        var attributes: [ObjectIdentifier: any Sendable] {
            get { box?.values.attributes ?? [:] }
            set { made().values.attributes = newValue }
        }

        var webSocketView: (any WebSocketView)? {
            get { box?.values.webSocketView }
            set { made().values.webSocketView = newValue }
        }
    }
}
