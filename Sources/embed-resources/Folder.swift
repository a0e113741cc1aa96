import Foundation

/// A file to embed.
struct ResourceFile {
    /// The path below the folder.
    let path: String
    let content: Data
}

/// A folder with the files in it.
struct EmbeddedFolder {
    let path: String
    let files: [ResourceFile]

    /// Reads the folder at `path`.
    init(_ path: String) throws(Folder.Failure) {
        self.init(path, try Folder.files(path))
    }

    init(_ path: String, _ files: [ResourceFile]) {
        self.path = path
        self.files = files
    }
}

/// A folder of files to embed.
enum Folder {
    /// Why a folder cannot be embedded.
    enum Failure: Error, CustomStringConvertible {
        case unreadable(path: String, reason: String)

        var description: String {
            switch self {
            case .unreadable(let path, let reason): "cannot embed '\(path)': \(reason)"
            }
        }
    }

    /// Every file below `folder`, sorted by path; hidden files are left out. A folder that does not exist has none.
    static func files(_ folder: String) throws(Failure) -> [ResourceFile] {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory) else { return [] }
        guard isDirectory.boolValue else { throw .unreadable(path: folder, reason: "it is no folder") }
        do {
            return try FileManager.default.subpathsOfDirectory(atPath: folder).sorted().compactMap { path in
                guard !path.split(separator: "/").contains(where: { $0.hasPrefix(".") }) else { return nil }
                let full = "\(folder)/\(path)"
                var isDirectory: ObjCBool = false
                guard FileManager.default.fileExists(atPath: full, isDirectory: &isDirectory) else {
                    throw Failure.unreadable(path: full, reason: "the link leads nowhere")
                }
                guard !isDirectory.boolValue else { return nil }
                return ResourceFile(path: path, content: try Data(contentsOf: URL(fileURLWithPath: full)))
            }
        } catch {
            throw error as? Failure ?? .unreadable(path: folder, reason: error.localizedDescription)
        }
    }
}
