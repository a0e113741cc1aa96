import Foundation
import PackagePlugin

/// Puts a target's `Templates` and `Static` folders into the binary: the tool of the same name writes them into one Swift
/// file, as `EmbeddedFiles.templates` and `EmbeddedFiles.staticFiles`.
@main
struct EmbedResources: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        guard let target = target as? any SourceModuleTarget else { return [] }
        let folders = ["Templates", "Static"].map { target.directoryURL.appending(path: $0) }
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedFiles.swift")
        return [
            .buildCommand(
                displayName: "Embedding the templates and static files of \(target.name)",
                executable: try context.tool(named: "embed-resources").url,
                arguments: [output.path, module(target)] + folders.map(\.path),
                inputFiles: try folders.flatMap(files),
                outputFiles: [output])
        ]
    }

    /// What the generated file imports: `Web` inside the framework's own package, else what site authors import.
    private func module(_ target: any SourceModuleTarget) -> String {
        let names = target.dependencies.map { dependency in
            switch dependency {
            case .target(let target): target.name
            case .product(let product): product.name
            @unknown default: ""
            }
        }
        return names.contains("Portico") || !names.contains("Web") ? "Portico" : "Web"
    }

    /// The files below `folder`, in a fixed order; none when there is no such folder.
    private func files(_ folder: URL) throws -> [URL] {
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        return try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
            .map { folder.appending(path: $0) }
            .filter { !$0.hasDirectoryPath && !$0.lastPathComponent.hasPrefix(".") && isFile($0) }
    }

    private func isFile(_ url: URL) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) && !isDirectory.boolValue
    }
}
