import Testing

@testable import Platform

@Suite struct BindErrorTests {
    @Test(
        arguments: [
            (.addressInUse("0.0.0.0:80", holder: "nginx (pid 812)"), "nginx (pid 812) already listens there"),
            (.addressInUse("0.0.0.0:80", holder: nil), "another process already listens there"),
            (.permissionDenied("0.0.0.0:80", port: 80), "choose a higher port"),
            (.permissionDenied("0.0.0.0:8000", port: 8000), "security policy"),
            (.permissionDenied("unix:/run/x", port: nil), "write to the socket's directory"),
            (.addressNotAvailable("192.0.2.1:80"), "0.0.0.0 for all of IPv4"),
            (.familyNotSupported("[::1]:80"), "use an IPv4 address"),
            (.pathTooLong("/x", limit: 107), "at most 107"),
            (.noDirectory("/x/y"), "create it first"),
            (.notASocket("/x"), "remove it or choose another path"),
            (.unknownHost("x:80", reason: "Name or service not known"), "use an IP address"),
            (.badDescriptor(3, reason: "it is not open"), "cannot listen on fd:3: it is not open"),
            (.system("x:80", SystemError(operation: "bind", code: 12)), "bind: Cannot allocate memory"),
        ] as [(BindError, String)])
    func saysWhatToDo(error: BindError, part: String) {
        #expect(error.description.hasPrefix("cannot listen on "))
        #expect(error.description.contains(part))
    }
}
