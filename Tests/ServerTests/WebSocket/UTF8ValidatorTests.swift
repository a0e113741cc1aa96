import Testing

@testable import Server

@Suite struct UTF8ValidatorTests {
    private func accepts(_ pieces: [[UInt8]]) -> Bool {
        var validator = UTF8Validator()
        return pieces.allSatisfy { piece in piece.withUnsafeBytes { validator.accepts($0) } } && validator.isComplete
    }

    /// The same answer as the standard library's, for every sequence of the bytes at which RFC 3629's table changes.
    @Test func agreesWithTheStandardLibrary() {
        let edges: [UInt8] = [
            0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
            0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ]
        var wrong: [[UInt8]] = []
        func check(_ bytes: [UInt8]) {
            let expected = String(validating: bytes, as: UTF8.self) != nil
            if accepts([bytes]) != expected || accepts(bytes.map { [$0] }) != expected { wrong.append(bytes) }
        }
        for a in edges {
            check([a])
            for b in edges {
                check([a, b])
                for c in edges {
                    check([a, b, c])
                    for d in edges where a >= 0xE0 { check([a, b, c, d]) }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    /// A wrong byte anywhere around the steps of the ASCII loop.
    @Test(arguments: [15, 16, 17, 31, 32, 33, 64])
    func findsOneWrongByte(count: Int) {
        for position in 0..<count {
            var bytes = [UInt8](repeating: 0x61, count: count)
            #expect(accepts([bytes]))
            bytes[position] = 0xFF
            #expect(!accepts([bytes]), "at \(position)")
        }
    }

    @Test func tellsAtOnce() {
        var validator = UTF8Validator()
        let first: [UInt8] = [0x61, 0xF4]
        let second: [UInt8] = [0x90]
        #expect(first.withUnsafeBytes { validator.accepts($0) } && !validator.isComplete)
        #expect(second.withUnsafeBytes { !validator.accepts($0) })
    }
}
