import ArgumentParser
@_exported import Gateway
@_exported import HTTP
import Synchronization
@_exported import Web

/// A program that carries Portico and the sites compiled into it.
///
///     @main
///     struct Main: App {
///         static let sites: [any Site] = [Polls()]
///     }
public protocol App {
    /// The sites `app.yaml` may name by `swift:`.
    static var sites: [any Site] { get }
}

extension App {
    /// Runs the command line: `serve`, `check`, `config` and the others.
    public static func main() {
        SiteCatalog.shared.register(sites)
        AppCommand.main()
    }
}

/// The sites compiled into this binary, by name.
final class SiteCatalog: Sendable {
    static let shared = SiteCatalog()

    private let sites = Mutex<[any Site]>([])

    func register(_ all: [any Site]) { sites.withLock { $0 = all } }

    var names: [String] { sites.withLock { $0.map(\.name) } }

    subscript(name: String) -> (any Site)? { sites.withLock { $0.first { $0.name == name } } }
}
