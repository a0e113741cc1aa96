import Config
import Gateway
import Logging
import Web

/// A site as the configuration wants it, ready to be put behind a gateway.
struct SiteAssembly {
    let name: String
    let application: SiteApplication
    let usesWSGI: Bool

    /// Every Swift site of the configuration.
    static func all(_ settings: Settings, executor: any SyncExecutor, secretKey: SecretKey) -> [SiteAssembly] {
        settings.sites.compactMap { SiteAssembly($0, settings, executor: executor, secretKey: secretKey) }
    }

    private init?(
        _ site: Config.SiteSettings, _ settings: Settings, executor: any SyncExecutor, secretKey: SecretKey
    ) {
        guard case .swift(let swiftName) = site.source, let code = SiteCatalog.shared[swiftName] else { return nil }
        var own = Web.SiteSettings(
            database: site.database.map { .file($0) }, secretKey: secretKey, isDebug: settings.debug,
            allowedHosts: settings.allowedHosts)
        own.bodyLimit = settings.limits.bodySize.bytes
        name = site.name
        application = SiteApplication(
            code, settings: own, executor: executor, logger: Logger(label: "site.\(site.name)"))
        usesWSGI = site.gateway == .wsgi
    }
}
