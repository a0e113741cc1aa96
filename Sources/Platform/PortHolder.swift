import Glibc

/// The process that listens on a TCP port, as far as `/proc` shows it to this user.
struct PortHolder: Equatable, CustomStringConvertible {
    let pid: Int32
    let name: String

    /// `nginx (pid 812)`.
    var description: String { "\(name) (pid \(pid))" }

    static func find(port: UInt16) -> PortHolder? {
        let inodes = Set(
            ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { path in
                listeningInodes(port: port, table: (try? Descriptor.contents(ofFile: path)) ?? [])
            })
        guard !inodes.isEmpty else { return nil }
        let links = Set(inodes.map { "socket:[\($0)]" })
        for pid in entries("/proc").compactMap({ Int32($0) }) {
            let directory = "/proc/\(pid)/fd"
            guard entries(directory).contains(where: { links.contains(target("\(directory)/\($0)")) }) else { continue }
            let name = (try? Descriptor.contents(ofFile: "/proc/\(pid)/comm")) ?? []
            return PortHolder(pid: pid, name: String(decoding: name.prefix { $0 != 10 }, as: UTF8.self))
        }
        return nil
    }

    /// The socket inodes in state LISTEN (0A) with this local port, from a table in the form of `/proc/net/tcp`.
    static func listeningInodes(port: UInt16, table: [UInt8]) -> [String] {
        table.split(separator: 10).dropFirst().compactMap { line in
            let fields = line.split(separator: 32)
            guard fields.count > 9, fields[3].elementsEqual("0A".utf8) else { return nil }
            let digits = String(decoding: fields[1].suffix(4), as: UTF8.self)
            return UInt16(digits, radix: 16) == port ? String(decoding: fields[9], as: UTF8.self) : nil
        }
    }

    private static func entries(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }

    private static func target(_ path: String) -> String {
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = buffer.withUnsafeMutableBytes { raw in
            raw.withMemoryRebound(to: CChar.self) { chars in
                chars.baseAddress.map { readlink(path, $0, chars.count) } ?? 0
            }
        }
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
}
