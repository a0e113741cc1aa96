import Glibc
import Platform

/// A libpython, by its file.
struct PythonLibrary: Equatable {
    /// Symbolic links resolved.
    let path: String
    /// As `3.11`; nil for `libpython3.so`, which only passes on to one.
    let version: String?
    /// As `t` for a build without a global interpreter lock, `d` for one with debugging.
    let flags: String

    /// Nil when the file is not called as a libpython is.
    init?(_ path: String) {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        let resolved = String(cString: real)
        guard let name = resolved.split(separator: "/").last, name.hasPrefix("libpython"), name.contains(".so") else {
            return nil
        }
        self.path = resolved
        let rest = name.dropFirst("libpython".count)
        let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let parts = number.split(separator: ".")
        version = parts.count == 2 ? parts.joined(separator: ".") : nil
        flags = String(rest.dropFirst(number.count).prefix { $0.isLetter && $0.isASCII })
    }

    /// What its interpreter is called.
    var interpreterName: String { "python\(version ?? "3")\(flags == "t" ? "t" : "")" }

    /// Where its interpreter is, if it was installed with it: `lib/` and `lib/x86_64-linux-gnu/` stand beside `bin/`.
    var folders: [String] {
        let parts = path.split(separator: "/").dropLast()
        return [1, 2].filter { $0 <= parts.count }.map { up in
            parts.dropLast(up).map { "/\($0)" }.joined() + "/bin"
        }
    }
}

/// The kind of machine an executable or library is for, from its ELF header.
struct MachineKind: Equatable, CustomStringConvertible {
    private let bits: UInt8
    private let number: UInt16

    /// Nil when the file is none of the kind: a script, say.
    init?(file: String) {
        let descriptor = Descriptor(adopting: open(file, O_RDONLY | O_CLOEXEC))
        guard descriptor.rawValue >= 0 else { return nil }
        var head = [UInt8](repeating: 0, count: 20)
        guard read(descriptor.rawValue, &head, head.count) == head.count, head.starts(with: [0x7F, 0x45, 0x4C, 0x46])
        else { return nil }
        bits = head[4]
        number = head[5] == 2 ? UInt16(head[18]) << 8 | UInt16(head[19]) : UInt16(head[19]) << 8 | UInt16(head[18])
    }

    /// That of this program.
    static let here = MachineKind(file: "/proc/self/exe")

    var description: String {
        let name =
            switch number {
            case 3: "x86"
            case 21: "ppc64"
            case 22: "s390x"
            case 40: "arm"
            case 62: "x86-64"
            case 183: "arm64"
            case 243: "riscv"
            default: "machine \(number)"
            }
        return "\(name) (\(bits == 1 ? 32 : 64) bit)"
    }

    /// Refuses a file that this process could not use.
    static func check(_ file: String) throws(PythonInstallationError) {
        guard let here, let kind = MachineKind(file: file), kind != here else { return }
        throw .wrongArchitecture(file: file, of: kind.description, here: here.description)
    }
}
