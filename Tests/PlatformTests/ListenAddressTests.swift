import Testing

@testable import Platform

@Suite struct ListenAddressTests {
    @Test(
        arguments: [
            ("127.0.0.1:8000", .tcp(host: "127.0.0.1", port: 8000)),
            ("[::1]:8000", .tcp(host: "::1", port: 8000)),
            ("localhost:80", .tcp(host: "localhost", port: 80)),
            ("*:0", .tcp(host: "*", port: 0)),
            (":8000", .tcp(host: "*", port: 8000)),
            ("8000", .tcp(host: "*", port: 8000)),
            ("unix:/run/app.sock", .unix(path: "/run/app.sock")),
            ("unix:app.sock", .unix(path: "app.sock")),
            ("fd:3", .descriptor(3)),
        ] as [(String, ListenAddress)])
    func reads(text: String, address: ListenAddress) {
        #expect(ListenAddress(text) == address)
        #expect(ListenAddress(address.description) == address)
    }

    @Test(
        arguments: [
            "", ":", "host", "host:", "host:65536", "host:-1", "host:+1", "host:8e3", "::1:8000", "[]:80", "[host]:80",
            "unix:", "fd:", "fd:-1", "fd:x", "http://host:80", "a b:80", "host:٣",
        ])
    func refuses(text: String) {
        #expect(ListenAddress(text) == nil)
    }
}
