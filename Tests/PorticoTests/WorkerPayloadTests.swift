import Python
import Testing

@testable import Portico

@Suite struct WorkerPayloadTests {
    static let payloads: [WorkerPayload] = [
        WorkerPayload(filePath: nil, fileBytes: nil, temporarySecret: nil),
        WorkerPayload(filePath: "app.yaml", fileBytes: Array("base: {}\n".utf8), temporarySecret: nil),
        WorkerPayload(filePath: "/etc/äpp/app.yaml", fileBytes: [], temporarySecret: "0123456789abcdef"),
        WorkerPayload(filePath: "", fileBytes: [0, 255, 10, 13], temporarySecret: ""),
        WorkerPayload(
            filePath: nil, fileBytes: nil, temporarySecret: nil,
            python: PythonInstallation(encoded: "/usr/bin/python3\0/usr/lib/libpython3.so\03.11.2\0gil\0/usr")),
        WorkerPayload(filePath: "a", fileBytes: [UInt8](repeating: 7, count: 100_000), temporarySecret: nil),
    ]

    @Test(arguments: payloads)
    func comesOutAsItWentIn(_ payload: WorkerPayload) {
        #expect(WorkerPayload(payload.encoded) == payload)
    }

    /// An absent part and an empty one are different things: an empty file is a configuration error.
    @Test func absentIsNotEmpty() {
        let absent = WorkerPayload(filePath: nil, fileBytes: nil, temporarySecret: nil)
        let empty = WorkerPayload(filePath: "", fileBytes: [], temporarySecret: "")
        #expect(absent.encoded != empty.encoded)
    }

    @Test func everyTruncationIsRefused() {
        let bytes = WorkerPayload(filePath: "app.yaml", fileBytes: [1, 2, 3], temporarySecret: "secret").encoded
        for count in 0..<bytes.count {
            #expect(WorkerPayload(Array(bytes[..<count])) == nil, "cut to \(count) bytes")
        }
    }

    @Test func whatFollowsIsRefused() {
        #expect(WorkerPayload(Self.payloads[1].encoded + [0]) == nil)
    }

    @Test(arguments: [UInt8(0x7F), 0x80, 0xFE, 0xFF])
    func aLengthBeyondTheEndIsRefused(_ first: UInt8) {
        let length = [first] + [UInt8](repeating: 0xFE, count: 7)
        #expect(WorkerPayload(length + [UInt8](repeating: 0, count: 64)) == nil)
    }

    @Test func secretsAre256RandomBits() throws {
        let first = try SecretText.random()
        let second = try SecretText.random()
        #expect(first.count == 64)
        #expect(first.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        #expect(first != second)
    }
}
