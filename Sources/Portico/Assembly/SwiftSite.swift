import Config
import Diagnosis
import Gateway
import Glibc
import Logging
import NIOCore
import Synchronization
import Web

/// A site compiled into this binary, as the configuration wants it.
final class SwiftSite: ServedSite, Sendable {
    let name: String
    let application: SiteApplication
    private let usesWSGI: Bool
    private let settings: Settings
    private let logger = Logger(label: "app")
    private let lifespans = Mutex<[ASGILifespan]>([])
    /// What the site keeps on each loop.
    private let states = Mutex<[ObjectIdentifier: LifespanState]>([:])
    private let gateway: GatewayContext?
    private let handlers = Mutex<[NIOLoopBound<ASGIHandler>]>([])

    /// What a site needs to be served; commands that only look at sites have none.
    struct GatewayContext: Sendable {
        let pool: ThreadPool
        let wsgi: WSGIHandler.Options
        let watchdog: Watchdog
    }

    /// Every Swift site of the configuration.
    static func all(
        _ settings: Settings, executor: any SyncExecutor, secretKey: SecretKey, gateway: GatewayContext? = nil
    ) -> [SwiftSite] {
        settings.sites.compactMap {
            SwiftSite($0, settings, executor: executor, secretKey: secretKey, gateway: gateway)
        }
    }

    private init?(
        _ site: Config.SiteSettings, _ settings: Settings, executor: any SyncExecutor, secretKey: SecretKey,
        gateway: GatewayContext?
    ) {
        guard case .swift(let swiftName) = site.source, let code = SiteCatalog.shared[swiftName] else { return nil }
        var own = Web.SiteSettings(
            database: site.database.map { .file($0) }, secretKey: secretKey, isDebug: settings.debug,
            allowedHosts: settings.allowedHosts)
        own.showsToolbar = settings.debug && settings.debugToolbar
        own.editor = settings.editor.map { EditorLink($0) }
        own.values = site.settings.mapValues(SettingText.init)
        own.temporaryDirectory = settings.tempDirectory
        own.securesCookies = settings.cookies.secure
        own.bodyLimit = settings.limits.bodySize.bytes
        if settings.reload.live {
            // What is in the folders now, before what was there when the binary was built.
            own.templateDirectories = [code.templates.folder].compactMap(\.self).filter { access($0, R_OK) == 0 }
            own.staticDirectories = [code.staticFiles.folder].compactMap(\.self).filter { access($0, R_OK) == 0 }
        }
        name = site.name
        application = SiteApplication(
            code, settings: own, executor: executor, logger: Logger(label: "site.\(site.name)"))
        usesWSGI = site.gateway == .wsgi
        self.settings = settings
        self.gateway = gateway
    }

    func makeHandler(on loop: any EventLoop) -> any SiteHandler {
        let logger = Logger(label: "gateway")
        guard usesWSGI, let gateway else {
            let handler = ASGIHandler(
                application, on: loop, state: state(of: loop), watchdog: gateway?.watchdog, logger: logger)
            handlers.withLock { $0.append(NIOLoopBound(handler, eventLoop: loop)) }
            return handler
        }
        return WSGIHandler(application, on: loop, pool: gateway.pool, options: gateway.wsgi, logger: logger)
    }

    var callsInProgress: Int {
        handlers.withLock { $0 }.reduce(0) { count, handler in
            count + ((try? handler.eventLoop.submit { handler.value.callsInProgress }.wait()) ?? 0)
        }
    }

    private func state(of loop: any EventLoop) -> LifespanState {
        states.withLock { states in
            if let state = states[ObjectIdentifier(loop)] { return state }
            let state = LifespanState()
            states[ObjectIdentifier(loop)] = state
            return state
        }
    }

    func start(on loops: [any EventLoop]) throws(WorkerStartError) {
        // Here and not by the lifespan alone, which has no word for failures that will come again.
        do throws(DatabaseError) { try application.start() } catch {
            if error.isFinal { throw .application(name, "\(error)") }
            throw .site(name, "\(error)")
        }
        guard !usesWSGI else { return }
        for loop in loops { try startLifespan(loop) }
    }

    private func startLifespan(_ loop: any EventLoop) throws(WorkerStartError) {
        let lifespan = ASGILifespan(application, on: loop, state: state(of: loop), logger: logger)
        let limit = settings.timeouts.start
        let failure = Blocking.wait { () async -> String? in
            do throws(LifespanError) {
                try await lifespan.startup(timeout: limit)
                return nil
            } catch {
                return error.description
            }
        }
        if let failure { throw .site(name, failure) }
        lifespans.withLock { $0.append(lifespan) }
    }

    func stop() {
        guard !usesWSGI else { return application.stop() }
        let limit = settings.timeouts.drain
        for lifespan in lifespans.withLock({ $0 }) {
            let failure = Blocking.wait { () async -> String? in
                do throws(LifespanError) {
                    try await lifespan.shutdown(timeout: limit)
                    return nil
                } catch {
                    return error.description
                }
            }
            if let failure { logger.error("a site did not stop in order: \(failure)") }
        }
    }
}

extension SettingText {
    /// A value of the configuration.
    init(_ value: Config.SiteSettings.Value) {
        self =
            switch value {
            case .boolean(let value): .boolean(value)
            case .integer(let value): .integer(value)
            case .number(let value): .number(value)
            case .text(let value): .text(value)
            case .secret(let value): .secret(value.text)
            }
    }
}
