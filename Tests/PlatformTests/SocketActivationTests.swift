import Glibc
import Testing

@testable import Platform

@Suite struct SocketActivationTests {
    @Test(
        arguments: [
            ([:], []),
            (["LISTEN_FDS": "1"], []),
            (["LISTEN_PID": "1", "LISTEN_FDS": "1"], []),
            (["LISTEN_PID": "77", "LISTEN_FDS": "1"], ["3 unknown"]),
            (["LISTEN_PID": "77", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "web:"], ["3 web", "4 unknown"]),
            (["LISTEN_PID": "77", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "web:admin:more"], ["3 web", "4 admin"]),
            (["LISTEN_PID": "77", "LISTEN_FDS": "0"], []),
            (["LISTEN_PID": "77", "LISTEN_FDS": "-1"], []),
            (["LISTEN_PID": "77", "LISTEN_FDS": "many"], []),
            (["LISTEN_PID": "77", "LISTEN_FDS": "1000000"], []),
        ] as [([String: String], [String])])
    func reads(environment: [String: String], expected: [String]) {
        let entries = SocketActivation.entries(environment: environment, pid: 77)
        #expect(entries.map { "\($0.descriptor) \($0.name)" } == expected)
    }

    @Test func adopts() async {
        await #expect(processExitsWith: .success) {
            let listener = try ListeningSocket.bind(.tcp(host: "127.0.0.1", port: 0))
            #expect(dup2(listener.descriptor, 3) == 3)
            let adopted = try SocketActivation.adopt(environment: ["LISTEN_PID": "\(getpid())", "LISTEN_FDS": "1"])
            #expect(adopted.map(\.address) == [listener.address])
        }
    }
}
