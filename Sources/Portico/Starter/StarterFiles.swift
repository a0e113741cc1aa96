import Glibc
import Platform

/// The files of a new site.
struct StarterFiles {
    /// Why they are not made; nothing is there then that was not there before.
    enum Failure: Error, CustomStringConvertible {
        case exists(String)
        case system(SystemError)

        var description: String {
            switch self {
            case .exists(let path): "'\(path)' is there already: nothing was changed"
            case .system(let error): "\(error): nothing was made"
            }
        }
    }

    struct File {
        let path: String
        let content: String
    }

    let files: [File]

    init(_ files: [(path: String, content: String)]) { self.files = files.map(File.init) }

    /// Makes `directory` with all files in it, or nothing: they are written beside it, and the whole is renamed.
    func write(to directory: String) throws(Failure) {
        let temporary = "\(directory).\(getpid()).new"
        do throws(SystemError) {
            try Self.makeDirectory(temporary)
            for file in files { try Self.write(file, in: temporary) }
        } catch {
            TemporaryData(path: temporary).remove()
            throw .system(error)
        }
        // An empty directory gives way to it, as rename(2) has it; a file, or a directory with something in it, does not.
        guard rename(temporary, directory) == 0 else {
            let code = errno
            TemporaryData(path: temporary).remove()
            if [EEXIST, ENOTEMPTY, ENOTDIR].contains(code) { throw .exists(directory) }
            throw .system(SystemError(operation: "make \(directory)", code: code))
        }
    }

    private static func write(_ file: File, in directory: String) throws(SystemError) {
        var folder = directory
        for name in file.path.split(separator: "/").dropLast() {
            folder += "/\(name)"
            if access(folder, F_OK) != 0 { try makeDirectory(folder) }
        }
        try Descriptor.appending(to: "\(directory)/\(file.path)").writeAll(Array(file.content.utf8))
    }

    private static func makeDirectory(_ path: String) throws(SystemError) {
        guard mkdir(path, 0o777) == 0 else { throw SystemError(operation: "mkdir \(path)", code: errno) }
    }
}

/// The name of a new site, in the forms that files need.
struct StarterName {
    /// `guest-book`: the package, the site, the directory.
    let text: String

    /// Names that mean something else already: modules of Portico and of Swift, words of the language.
    private static let taken: Set = [
        "app", "config", "supervisor", "server", "front", "gateway", "python", "web", "templates", "http", "telemetry",
        "platform", "portico", "polls", "swift", "testing", "foundation", "glibc", "dispatch", "synchronization",
        "main",
        "class", "struct", "enum", "func", "import", "let", "var", "protocol", "extension", "default", "self", "super",
        "true", "false", "nil", "in", "is", "as", "if", "else", "for", "while", "return", "switch", "case", "public",
        "logging",
        "entry",
    ]

    /// Nil for what cannot name a site, a package and a module.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
        guard let first = bytes.first, isLetter(first), bytes.count <= 40, bytes.last != UInt8(ascii: "-"),
            bytes.allSatisfy({ isLetter($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }),
            !Self.taken.contains(text)
        else { return nil }
        self.text = text
    }

    static let expected =
        "lower-case letters, digits and '-', beginning with a letter, and no word that Swift or Portico has taken"

    /// `guest_book`, as Swift and SQL write it.
    var identifier: String { text.replacing("-", with: "_") }

    /// `GuestBook`
    var type: String {
        text.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}
