import Foundation

// embed-resources OUTPUT MODULE TEMPLATES STATIC: writes the files of two folders into one Swift file that imports MODULE.

let arguments = CommandLine.arguments
guard arguments.count == 5 else {
    FileHandle.standardError.write(Data("usage: embed-resources OUTPUT MODULE TEMPLATES STATIC\n".utf8))
    exit(64)
}

do {
    let source = EmbeddedSource(
        module: arguments[2],
        templates: try EmbeddedFolder(arguments[3]),
        staticFiles: try EmbeddedFolder(arguments[4]))
    let text = Data(source.text.utf8)
    // An unchanged file is left alone, so that nothing is compiled again.
    if FileManager.default.contents(atPath: arguments[1]) != text {
        try text.write(to: URL(fileURLWithPath: arguments[1]), options: .atomic)
    }
} catch {
    FileHandle.standardError.write(Data("error: \(error)\n".utf8))
    exit(1)
}
