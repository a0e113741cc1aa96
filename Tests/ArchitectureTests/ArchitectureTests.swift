import Foundation
import Testing

/// Holds the arrows between the targets, by the manifest and by what each file imports.
@Suite struct ArchitectureTests {
    let manifest: Manifest
    let sources: [SourceFile]
    let sites: [SourceFile]

    init() throws {
        manifest = Manifest(
            parsing: try String(contentsOfFile: SourceFile.package + "/Package.swift", encoding: .utf8))
        sources = try SourceFile.all(below: "Sources")
        sites = try SourceFile.all(below: "Sites")
    }

    @Test func readsTheManifest() throws {
        #expect(manifest.targets.count > 20)
        #expect(try #require(manifest["Platform"]).targets == ["CPlatform"])
        #expect(try #require(manifest["HTTP"]).products == ["NIOCore"])
        #expect(try #require(manifest["Templates"]).targets.isEmpty)
        #expect(try #require(manifest["Polls"]).targets == ["Portico"])
        #expect(manifest["CZlib"]?.kind == ".systemLibrary")
        #expect(sources.count > 100 && !sites.isEmpty)
    }

    @Test func everyTargetHasItsRule() {
        let folders = Set(sources.map(\.folder))
        #expect(folders.subtracting(Architecture.allowed.keys).isEmpty, "folders of Sources without a rule")
        let targets = Set(manifest.targets.filter { !$0.kind.hasPrefix("tests") }.map(\.name))
        #expect(Set(Architecture.allowed.keys).subtracting(targets).isEmpty, "rules without a target")
        let unknown = targets.subtracting(Architecture.allowed.keys).subtracting(sites.map(\.folder))
        #expect(unknown.isEmpty, "targets without a rule")
    }

    @Test func sourcesImportWhatTheyMay() {
        let wrong = sources.flatMap { file in
            let allowed = Architecture.allowed[file.folder, default: []].union(Architecture.system)
            return file.imports.filter { !allowed.contains($0) }.map { "\(file.path) imports \($0)" }
        }
        #expect(wrong.isEmpty)
    }

    @Test func sitesImportThePlatformAlone() {
        let wrong = sites.flatMap { file in
            file.imports.filter { !Architecture.allowedToSites.contains($0) }.map { "\(file.path) imports \($0)" }
        }
        #expect(wrong.isEmpty)
    }

    /// A module that is not listed is found only as long as somebody else happens to build it first.
    @Test func importsAreListedInTheManifest() {
        let wrong = (sources + sites).flatMap { file -> [String] in
            guard let target = manifest[file.folder] else { return ["\(file.path) belongs to no target"] }
            return file.imports.filter { isOurs($0) || isProduct($0) }.filter { !modules(of: target).contains($0) }
                .map { "\(file.path) imports \($0), which \(target.name) does not list" }
        }
        #expect(wrong.isEmpty)
    }

    @Test func whatTheManifestListsIsImported() {
        let files = Dictionary(grouping: sources + sites, by: \.folder)
        let unused = manifest.targets.filter { $0.kind != ".plugin" && files[$0.name] != nil }.flatMap { target in
            let imported = Set(files[target.name, default: []].flatMap(\.imports))
            return target.targets.map(Manifest.Target.module).filter { !imported.contains($0) }
                .map { "\(target.name) lists \($0)" }
                + target.products.filter { modules(ofProduct: $0).isDisjoint(with: imported) }
                .map { "\(target.name) lists \($0)" }
        }
        #expect(unused.isEmpty, "and nobody imports it")
    }

    @Test(arguments: Architecture.unreachable)
    func reachesNothingOnADetour(from: String, to: Set<String>) {
        let found = reachable(from: from).intersection(to)
        #expect(found.isEmpty, "\(from) reaches \(found.sorted())")
    }

    @Test func noTargetReachesItself() {
        let cyclic = manifest.targets.map(\.name).filter { reachable(from: $0).contains($0) }
        #expect(cyclic.isEmpty)
    }

    @Test func filesAreReadAtOneSitting() {
        let long = (sources + sites).filter { $0.lines.count > Architecture.longestFile + 1 }.map(\.path)
        #expect(long.isEmpty, "longer than \(Architecture.longestFile) lines")
    }

    @Test func nothingStopsTheProcessOrWasLeftForLater() {
        let found = (sources + sites).flatMap { file in
            file.lines.indices.filter { index in Architecture.banned.contains { file.lines[index].contains($0) } }
                .map { "\(file.path):\($0 + 1): \(file.lines[$0])" }
        }
        #expect(found.isEmpty)
    }

    /// The clock on the wall may step: nothing that is limited in time may depend on it.
    @Test func theSupervisorKnowsNoWallClock() {
        let found = sources.filter { $0.folder == "Supervisor" }.flatMap { file in
            file.lines.filter { line in Architecture.wallClocks.contains { line.contains($0) } }
                .map { "\(file.path): \($0)" }
        }
        #expect(found.isEmpty)
    }

    private func isOurs(_ module: String) -> Bool { manifest.targets.contains { $0.module == module } }

    private func isProduct(_ module: String) -> Bool {
        manifest.targets.contains { target in target.products.contains { modules(ofProduct: $0).contains(module) } }
    }

    private func modules(of target: Manifest.Target) -> Set<String> {
        target.products.reduce(into: Set(target.targets.map(Manifest.Target.module))) {
            $0.formUnion(modules(ofProduct: $1))
        }
    }

    private func modules(ofProduct product: String) -> Set<String> { Architecture.modules[product] ?? [product] }

    private func reachable(from name: String) -> Set<String> {
        var reached: Set<String> = []
        var open = Array(manifest[name]?.targets ?? [])
        while let next = open.popLast() {
            if reached.insert(next).inserted { open += manifest[next]?.targets ?? [] }
        }
        return reached
    }
}
