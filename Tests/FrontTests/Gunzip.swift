import CZlib
import Foundation

/// The bytes behind a gzip stream, by zlib's own inflate; nil when it is damaged. A stream that goes on gives what can be
/// read so far.
func gunzip(_ bytes: [UInt8], isComplete: Bool = true) -> [UInt8]? {
    var stream = z_stream()
    guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    var input = bytes
    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    var result = Z_OK
    input.withUnsafeMutableBufferPointer { input in
        stream.next_in = input.baseAddress
        stream.avail_in = UInt32(input.count)
        repeat {
            let produced = chunk.withUnsafeMutableBufferPointer { chunk in
                stream.next_out = chunk.baseAddress
                stream.avail_out = UInt32(chunk.count)
                result = inflate(&stream, Z_NO_FLUSH)
                return chunk.count - Int(stream.avail_out)
            }
            output += chunk.prefix(produced)
        } while result == Z_OK && (stream.avail_in > 0 || stream.avail_out == 0)
    }
    if isComplete { return result == Z_STREAM_END && stream.avail_in == 0 ? output : nil }
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR ? output : nil
}

/// The same, by the program everyone has.
func gunzipByProgram(_ bytes: [UInt8]) throws -> [UInt8] {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).gz")
    try Data(bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", file.path]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? Array(output) : []
}
