import Glibc
import Platform

/// The directories below some roots, with what was last seen in each. Events say which directories to look at again; what
/// changed is found by comparing, so that nothing is missed when many things happen at once.
final class WatchedTree {
    /// A directory that is watched.
    private final class Node {
        let path: String
        /// What its `.gitignore` says.
        var rules: IgnoreRules?
        weak var parent: Node?
        var entries: [String: DirectoryEntry] = [:]
        var children: [String: Node] = [:]
        var watch: FileEvents.Watch?

        init(_ path: String, parent: Node?) {
            self.path = path
            self.parent = parent
        }
    }

    /// Why some directories have to be looked at again and again instead.
    enum Shortage: Equatable {
        /// The user's watches are used up.
        case watches(directory: String)
        /// A file system that does not tell of changes made elsewhere.
        case silentFileSystem(directory: String, name: String)
        case failed(SystemError)
    }

    private let events: FileEvents?
    private var roots: [Node] = []
    /// One directory may be two nodes: part of a tree, and the place of a single file that the tree leaves out.
    private var watched: [FileEvents.Watch: [Node]] = [:]
    private var dirty: [ObjectIdentifier: Node] = [:]
    private var isAllDirty = false
    /// Files outside the trees, watched through their directories: the directory and the wanted names.
    private var singles: [(node: Node, names: Set<String>)] = []
    /// What was found wanting; empty when the kernel tells of everything.
    private(set) var shortages: [Shortage] = []

    /// Looks at `directories` with all below, and at single `files`. Nil `events` stands for a kernel without inotify.
    init(directories: [String], files: [String], events: FileEvents?) {
        self.events = events
        var known: Set<String> = []
        for path in Self.outermost(directories) {
            let node = Node(path, parent: nil)
            roots.append(node)
            fill(node, &known)
        }
        for (directory, names) in Dictionary(grouping: files, by: Self.directory(of:)) {
            let node = Node(directory, parent: nil)
            singles.append(
                (node, Set(names.map { String($0.dropFirst(directory == "/" ? 1 : directory.utf8.count + 1)) })))
            watch(node)
            node.entries = DirectoryEntry.list(directory) ?? [:]
        }
    }

    /// Whether something has to be looked at in intervals.
    var needsPolling: Bool { events == nil || !shortages.isEmpty || roots.contains { $0.watch == nil } }

    /// Whether an event waits for ``changes()``.
    var hasNews: Bool { isAllDirty || !dirty.isEmpty }

    /// Takes in what the kernel has said.
    func takeEvents() {
        for event in events?.take() ?? [] {
            switch event {
            case .changed(let watch, _, _): for node in watched[watch] ?? [] { dirty[ObjectIdentifier(node)] = node }
            case .gone(let watch):
                // A directory that was moved is still watched, under a name it no longer has.
                events?.forget(watch)
                for node in watched.removeValue(forKey: watch) ?? [] {
                    node.watch = nil
                    let changed = node.parent ?? node
                    dirty[ObjectIdentifier(changed)] = changed
                }
            case .overflow: isAllDirty = true
            }
        }
    }

    /// Everything is to be compared at the next ``changes()``.
    func distrustAll() { isAllDirty = true }

    /// The files that were changed, added or removed since the last look, as absolute paths.
    func changes() -> [String] {
        var changed: Set<String> = []
        let nodes = dirty
        let all = isAllDirty
        dirty = [:]
        isAllDirty = false
        if all {
            for root in roots { compareAll(root, &changed) }
        } else {
            for node in nodes.values where isThere(node) { compare(node, &changed) }
        }
        for single in singles where all || nodes[ObjectIdentifier(single.node)] != nil {
            compareSingle(single.node, single.names, &changed)
        }
        return changed.sorted()
    }

    /// The files that were written, made or moved after `time`, in nanoseconds since 1970.
    func changes(since time: Int64) -> [String] {
        var changed: Set<String> = []
        func look(_ node: Node, _ names: some Sequence<String>) {
            for name in names {
                let path = node.path == "/" ? "/\(name)" : "\(node.path)/\(name)"
                var status = stat()
                guard stat(path, &status) == 0 else { continue }
                // A file that was moved here may have been written long ago.
                let since = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
                if since > time { changed.insert(path) }
            }
        }
        func lookBelow(_ node: Node) {
            look(node, node.entries.lazy.filter { $0.value != .directory }.map(\.key))
            for child in node.children.values { lookBelow(child) }
        }
        for root in roots { lookBelow(root) }
        for single in singles { look(single.node, single.names) }
        return changed.sorted()
    }

    // MARK: - Comparing

    private func compareAll(_ node: Node, _ changed: inout Set<String>) {
        let before = Array(node.children.values)
        compare(node, &changed)
        for child in before where node.children[Self.name(of: child.path)] === child { compareAll(child, &changed) }
    }

    private func compare(_ node: Node, _ changed: inout Set<String>) {
        let before = node.entries
        guard let listing = DirectoryEntry.list(node.path) else {
            return forget(node, &changed)
        }
        if node.watch == nil { watch(node) }
        readRules(node)
        let now = listing.filter { !isIgnored($0.key, $0.value == .directory, in: node) }
        node.entries = now
        for (name, entry) in before where now[name] != entry {
            if entry == .directory, let child = node.children.removeValue(forKey: name) {
                forget(child, &changed)
            } else if entry != .directory {
                changed.insert("\(node.path)/\(name)")
            }
        }
        for (name, entry) in now where before[name] != entry {
            if entry == .directory { adopt(name, node, &changed) } else { changed.insert("\(node.path)/\(name)") }
        }
    }

    private func compareSingle(_ node: Node, _ names: Set<String>, _ changed: inout Set<String>) {
        let now = DirectoryEntry.list(node.path) ?? [:]
        if node.watch == nil { watch(node) }
        for name in names where now[name] != node.entries[name] {
            changed.insert(node.path == "/" ? "/\(name)" : "\(node.path)/\(name)")
        }
        node.entries = now
    }

    /// A directory that is new: what is in it is, too.
    private func adopt(_ name: String, _ parent: Node, _ changed: inout Set<String>) {
        let child = Node("\(parent.path)/\(name)", parent: parent)
        parent.children[name] = child
        fill(child, &changed)
    }

    /// Takes in everything below; the files found are added to `found`.
    private func fill(_ node: Node, _ found: inout Set<String>) {
        // Watched first: what is made between the two is seen twice rather than never.
        watch(node)
        readRules(node)
        guard let listing = DirectoryEntry.list(node.path), listing["pyvenv.cfg"] == nil || node.parent == nil else {
            return
        }
        node.entries = listing.filter { !isIgnored($0.key, $0.value == .directory, in: node) }
        for (name, entry) in node.entries {
            guard entry == .directory else {
                found.insert("\(node.path)/\(name)")
                continue
            }
            let child = Node("\(node.path)/\(name)", parent: node)
            node.children[name] = child
            fill(child, &found)
        }
    }

    private func forget(_ node: Node, _ changed: inout Set<String>) {
        if let watch = node.watch {
            watched[watch]?.removeAll { $0 === node }
            if watched[watch]?.isEmpty ?? true {
                events?.forget(watch)
                watched[watch] = nil
            }
            node.watch = nil
        }
        for (name, entry) in node.entries where entry != .directory { changed.insert("\(node.path)/\(name)") }
        for child in node.children.values { forget(child, &changed) }
        node.entries = [:]
        node.children = [:]
    }

    /// Whether the node is still part of a tree: its directory may have gone while its event waited.
    private func isThere(_ node: Node) -> Bool {
        guard let parent = node.parent else { return roots.contains { $0 === node } }
        return parent.children[Self.name(of: node.path)] === node && isThere(parent)
    }

    // MARK: - Rules

    private func readRules(_ node: Node) {
        let bytes = try? Descriptor.contents(ofFile: "\(node.path)/.gitignore")
        node.rules = bytes.map { IgnoreRules(String(decoding: $0, as: UTF8.self)) }
    }

    private func isIgnored(_ name: String, _ isDirectory: Bool, in node: Node) -> Bool {
        if BuiltInIgnores.contains(name, isDirectory: isDirectory) { return true }
        var path = name
        var holder: Node? = node
        // The nearest file that says something decides.
        while let current = holder {
            if let verdict = current.rules?.verdict(on: path, isDirectory: isDirectory) { return verdict }
            path = "\(Self.name(of: current.path))/\(path)"
            holder = current.parent
        }
        return false
    }

    // MARK: - Watches

    private func watch(_ node: Node) {
        guard let events else { return }
        if node.parent == nil, let name = MountTable.silentFileSystem(of: node.path) {
            note(.silentFileSystem(directory: node.path, name: name))
        }
        do throws(SystemError) {
            let watch = try events.watch(node.path)
            node.watch = watch
            watched[watch, default: []].append(node)
        } catch {
            switch error.code {
            case ENOENT, ENOTDIR: break
            case ENOSPC: note(.watches(directory: node.path))
            default: note(.failed(error))
            }
        }
    }

    /// One of each kind is enough to know.
    private func note(_ shortage: Shortage) {
        let isKnown = shortages.contains {
            switch ($0, shortage) {
            case (.watches, .watches), (.failed, .failed): true
            default: $0 == shortage
            }
        }
        if !isKnown { shortages.append(shortage) }
    }

    // MARK: - Paths

    /// Without those that lie in others.
    private static func outermost(_ paths: [String]) -> [String] {
        let all = Set(paths.map { $0.count > 1 && $0.hasSuffix("/") ? String($0.dropLast()) : $0 })
        return all.filter { path in !all.contains { $0 != path && path.hasPrefix($0 + "/") } }.sorted()
    }

    private static func name(of path: String) -> String {
        String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...])
    }

    private static func directory(of path: String) -> String {
        let end = path.lastIndex(of: "/") ?? path.startIndex
        return end == path.startIndex ? "/" : String(path[..<end])
    }
}
