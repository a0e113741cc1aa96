import Platform
import Python

/// What a supervisor hands to its workers beside the command line: the configuration file as it was read, so that a
/// worker started later sees the same, the secret that all of them share when none is configured, and the Python found.
struct WorkerPayload: Equatable {
    var filePath: String?
    var fileBytes: [UInt8]?
    var temporarySecret: String?
    var python: PythonInstallation?
    /// What the configuration's `${secret:…}` stand for, by name: the worker may be a user that cannot read their files.
    var secrets: [String: String] = [:]

    init(
        filePath: String?, fileBytes: [UInt8]?, temporarySecret: String?, python: PythonInstallation? = nil,
        secrets: [String: String] = [:]
    ) {
        self.secrets = secrets
        self.python = python
        self.filePath = filePath
        self.fileBytes = fileBytes
        self.temporarySecret = temporarySecret
    }

    /// Four parts and the secrets' names and texts, each behind its length in eight bytes; an absent part has the length `UInt64.max`.
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        let python = python.map { Array($0.encoded.utf8) }
        let named = secrets.sorted { $0.key < $1.key }.flatMap { [Array($0.key.utf8), Array($0.value.utf8)] }
        for part in [filePath.map { Array($0.utf8) }, fileBytes, temporarySecret.map { Array($0.utf8) }, python] + named
        {
            let count = part.map { UInt64($0.count) } ?? .max
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: count >> shift))
            }
            bytes += part ?? []
        }
        return bytes
    }

    /// Nil when the bytes are not what ``encoded`` makes.
    init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        func part() -> [UInt8]?? {
            guard rest.count >= 8 else { return .none }
            let count = rest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            rest = rest.dropFirst(8)
            if count == .max { return .some(nil) }
            guard count <= UInt64(rest.count) else { return .none }
            defer { rest = rest.dropFirst(Int(count)) }
            return Array(rest.prefix(Int(count)))
        }
        guard let path = part(), let file = part(), let secret = part(), let python = part() else { return nil }
        while !rest.isEmpty {
            guard let name = part() ?? nil, let text = part() ?? nil else { return nil }
            secrets[String(decoding: name, as: UTF8.self)] = String(decoding: text, as: UTF8.self)
        }
        if let python {
            guard let installation = PythonInstallation(encoded: String(decoding: python, as: UTF8.self)) else {
                return nil
            }
            self.python = installation
        }
        filePath = path.map { String(decoding: $0, as: UTF8.self) }
        fileBytes = file
        temporarySecret = secret.map { String(decoding: $0, as: UTF8.self) }
    }
}

/// A secret nobody has to remember.
enum SecretText {
    /// 256 random bits in hexadecimal.
    static func random() throws(SystemError) -> String {
        try RandomBytes.make(count: 32).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
