import Polls
import Portico

/// The sites this binary carries.
enum Main: App {
    static let sites: [any Site] = [Polls()]
}

Main.main()
