import Foundation
import Glibc
import TestSupport
import Testing

@testable import Platform

@Suite struct ListeningSocketTests {
    private let directory: Folder

    init() throws {
        directory = try Folder()
    }

    static let hasIPv6 = (try? ListeningSocket.bind(.tcp(host: "::1", port: 0))) != nil
    static let needsPrivilegeForPort80 =
        getuid() == 0
        && (try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding: .utf8))
            .flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) } ?? 0 > 80

    /// Whether a client gets through to the address.
    private func canConnect(_ address: SocketAddress) throws -> Bool {
        switch address {
        case .ipv4(_, let port):
            let client = Descriptor(adopting: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
            var target = sockaddr_in()
            target.sin_family = sa_family_t(AF_INET)
            target.sin_port = port.bigEndian
            target.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            return connect(client, &target)
        case .ipv6(_, let port):
            let client = Descriptor(adopting: socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0))
            var target = sockaddr_in6()
            target.sin6_family = sa_family_t(AF_INET6)
            target.sin6_port = port.bigEndian
            target.sin6_addr = in6addr_loopback
            return connect(client, &target)
        case .unix(let path):
            let client = Descriptor(adopting: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
            var target = sockaddr_un()
            target.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
            return connect(client, &target)
        case .unnamed: return false
        }
    }

    private func connect<Address>(_ client: borrowing Descriptor, _ target: inout Address) -> Bool {
        withUnsafeBytes(of: &target) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) {
                Glibc.connect(client.rawValue, $0.baseAddress, socklen_t(bytes.count)) == 0
            }
        }
    }

    private func flag(_ descriptor: Int32, _ level: Int32, _ option: Int32) -> Int32 {
        var value: Int32 = -1
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = getsockopt(descriptor, level, option, &value, &length)
        return value
    }

    // MARK: - TCP

    @Test(.timeLimit(.minutes(10))) func bindsAFreePort() throws {
        let listener = try ListeningSocket.bind(.tcp(host: "127.0.0.1", port: 0))
        let port = try #require(listener.address.port)
        #expect(port > 0)
        #expect(listener.address == .ipv4("127.0.0.1", port: port))
        #expect(listener.address.url() == "http://127.0.0.1:\(port)")
        #expect(try canConnect(listener.address))
        #expect(fcntl(listener.descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(flag(listener.descriptor, SOL_SOCKET, SO_REUSEADDR) == 1)
        listener.close()
        listener.close()
        #expect(listener.descriptor == -1)
        // A process that a test beside this one is about to start has it for a moment.
        while try canConnect(listener.address) { usleep(1000) }
    }

    @Test(.enabled(if: hasIPv6, "no IPv6 on this machine"))
    func bindsIPv6() throws {
        let listener = try ListeningSocket.bind(.tcp(host: "::1", port: 0))
        let port = try #require(listener.address.port)
        #expect(listener.address.url() == "http://[::1]:\(port)")
        #expect(try canConnect(listener.address))
    }

    @Test(.enabled(if: hasIPv6, "no IPv6 on this machine"), arguments: [false, true])
    func choosesWhetherIPv6IncludesIPv4(isOnly: Bool) throws {
        let listener = try ListeningSocket.bind(.tcp(host: "::", port: 0), isIPv6Only: isOnly)
        let port = try #require(listener.address.port)
        #expect(flag(listener.descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY) == (isOnly ? 1 : 0))
        #expect(try canConnect(.ipv4("127.0.0.1", port: port)) == !isOnly)
    }

    @Test func bindsAllAddresses() throws {
        let listener = try ListeningSocket.bind(.tcp(host: "*", port: 0))
        let port = try #require(listener.address.port)
        #expect(try canConnect(.ipv4("127.0.0.1", port: port)))
        if Self.hasIPv6 { #expect(try canConnect(.ipv6("::1", port: port))) }
    }

    @Test func resolvesNames() throws {
        let listener = try ListeningSocket.bind(.tcp(host: "localhost", port: 0))
        #expect(listener.address.host == "127.0.0.1")
    }

    @Test func namesWhoHoldsAPort() throws {
        let first = try ListeningSocket.bind(.tcp(host: "127.0.0.1", port: 0))
        let port = try #require(first.address.port)
        let error = #expect(throws: BindError.self) {
            try ListeningSocket.bind(.tcp(host: "127.0.0.1", port: port))
        }
        guard case .addressInUse("127.0.0.1:\(port)", let holder?) = error else {
            Issue.record("unexpected error: \(String(describing: error))")
            return
        }
        #expect(holder.hasSuffix("(pid \(getpid()))"))
    }

    @Test func findsPortsInTheKernelsTable() {
        let table = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100
               1: 0100007F:1F40 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0 100
               2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4244 1 0 100
              broken line
            """
        #expect(PortHolder.listeningInodes(port: 8000, table: Array(table.utf8)) == ["4242"])
        #expect(PortHolder.listeningInodes(port: 80, table: Array(table.utf8)) == ["4244"])
        #expect(PortHolder.listeningInodes(port: 81, table: Array(table.utf8)) == [])
        #expect(PortHolder.listeningInodes(port: 81, table: []) == [])
    }

    @Test func knowsForeignAddresses() {
        // 192.0.2.0/24 is for documentation (RFC 5737): no machine has it.
        #expect(throws: BindError.addressNotAvailable("192.0.2.1:0")) {
            try ListeningSocket.bind(.tcp(host: "192.0.2.1", port: 0))
        }
    }

    @Test func refusesUnknownNames() {
        let error = #expect(throws: BindError.self) {
            try ListeningSocket.bind(.tcp(host: "name.invalid", port: 0))
        }
        guard case .unknownHost("name.invalid:0", _) = error else {
            Issue.record("unexpected error: \(String(describing: error))")
            return
        }
    }

    @Test(.enabled(if: needsPrivilegeForPort80, "not root, or every port is free for all"))
    func explainsMissingPrivilege() async {
        await #expect(processExitsWith: .success) {
            #expect(setuid(65534) == 0)
            let error = #expect(throws: BindError.self) { try ListeningSocket.bind(.tcp(host: "127.0.0.1", port: 80)) }
            #expect(error == .permissionDenied("127.0.0.1:80", port: 80))
        }
    }

    // MARK: - Unix

    @Test func bindsAUnixSocketAndRemovesItsFile() throws {
        let path = directory["app.sock"]
        let listener = try ListeningSocket.bind(.unix(path: path), file: .init(mode: 0o660))
        #expect(listener.address == .unix(path))
        #expect(try canConnect(listener.address))
        #expect(try #require(UnixSocketFile.status(path)).st_mode & 0o777 == 0o660)
        listener.close()
        #expect(UnixSocketFile.status(path) == nil)
    }

    @Test func replacesAStaleUnixSocket() throws {
        let path = directory["app.sock"]
        let first = try ListeningSocket.bind(.unix(path: path))
        #expect(link(path, directory["stale"]) == 0)
        first.close()
        #expect(rename(directory["stale"], path) == 0)
        let listener = try ListeningSocket.bind(.unix(path: path))
        #expect(try canConnect(listener.address))
    }

    @Test func leavesALiveUnixSocketAlone() throws {
        let path = directory["app.sock"]
        let first = try ListeningSocket.bind(.unix(path: path))
        #expect(throws: BindError.addressInUse("unix:\(path)", holder: nil)) {
            try ListeningSocket.bind(.unix(path: path))
        }
        #expect(try canConnect(first.address))
    }

    @Test func leavesAnotherFileAlone() throws {
        try directory.write("precious", to: "app.sock")
        let path = directory["app.sock"]
        #expect(throws: BindError.notASocket(path)) { try ListeningSocket.bind(.unix(path: path)) }
        #expect(try directory.text(of: "app.sock") == "precious")
    }

    @Test func doesNotRemoveASuccessorsFile() throws {
        let path = directory["app.sock"]
        let first = try ListeningSocket.bind(.unix(path: path))
        unlink(path)
        let second = try ListeningSocket.bind(.unix(path: path))
        first.close()
        #expect(try canConnect(second.address))
    }

    @Test func explainsBadPaths() throws {
        let long = "/tmp/" + String(repeating: "x", count: 120)
        #expect(throws: BindError.pathTooLong(long, limit: 107)) { try ListeningSocket.bind(.unix(path: long)) }
        let absent = directory["absent/app.sock"]
        #expect(throws: BindError.noDirectory(absent)) { try ListeningSocket.bind(.unix(path: absent)) }
    }

    // MARK: - Inherited

    @Test func inheritsAListener() throws {
        let listener = try ListeningSocket.bind(.tcp(host: "127.0.0.1", port: 0))
        let number = try listener.duplicate().release()
        let inherited = try ListeningSocket.bind(.descriptor(number))
        #expect(inherited.address == listener.address)
        #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
        listener.close()
        #expect(try canConnect(inherited.address))
    }

    @Test func makesABoundSocketListen() throws {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        withUnsafeBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { _ = bind(number, $0.baseAddress, socklen_t(bytes.count)) }
        }
        let listener = try ListeningSocket(inheriting: number)
        #expect(try canConnect(listener.address))
    }

    @Test func refusesWhatIsNoStreamSocket() throws {
        let datagrams = Descriptor(adopting: socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0))
        let file = try MemoryFile.make(name: "test", [])
        for (number, reason) in [
            (datagrams.rawValue, "it is not a stream socket"), (file.rawValue, "it is not a socket"),
            (987_654, "it is not open"), (-1, "it is not open"),
        ] {
            #expect(throws: BindError.badDescriptor(number, reason: reason)) {
                try ListeningSocket(inheriting: number)
            }
        }
    }

    @Test func isNotInheritedByPrograms() throws {
        let listener = try ListeningSocket.bind(.tcp(host: "127.0.0.1", port: 0))
        let pid = try ChildProcess.spawn(
            executable: "/bin/sh", arguments: ["sh", "-c", "test ! -e /proc/$$/fd/\(listener.descriptor)"],
            environment: [:])
        #expect(try ChildProcess.wait(pid) == .exited(0))
    }
}
