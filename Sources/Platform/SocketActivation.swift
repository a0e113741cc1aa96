import Glibc

/// Sockets handed over by systemd (or anything that speaks sd_listen_fds(3)): `LISTEN_PID`, `LISTEN_FDS`, `LISTEN_FDNAMES`.
public enum SocketActivation {
    /// One inherited descriptor.
    public struct Entry: Equatable, Sendable {
        /// The descriptor's number, from 3 up.
        public let descriptor: Int32
        /// Its name from `LISTEN_FDNAMES` (in systemd the socket unit's), or `unknown`.
        public let name: String
    }

    /// The descriptors meant for this process; empty when there are none or when they were meant for another process.
    public static func entries(environment: [String: String], pid: Int32 = getpid()) -> [Entry] {
        guard environment["LISTEN_PID"].flatMap({ Int32($0) }) == pid,
            let count = environment["LISTEN_FDS"].flatMap({ Int32($0) }), (1...1024).contains(count)
        else { return [] }
        let names = (environment["LISTEN_FDNAMES"] ?? "")
            .split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        return (0..<count).map { index in
            let name = Int(index) < names.count ? names[Int(index)] : ""
            return Entry(descriptor: 3 + index, name: name.isEmpty ? "unknown" : name)
        }
    }

    /// Takes over all of them as listening sockets.
    public static func adopt(environment: [String: String]) throws(BindError) -> [ListeningSocket] {
        var sockets: [ListeningSocket] = []
        for entry in entries(environment: environment) {
            sockets.append(try ListeningSocket(inheriting: entry.descriptor))
        }
        return sockets
    }

    /// The variables of the protocol, which must not reach programs started from here.
    public static let variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]
}
