import Portico

/// The whole platform with the site of the benchmarks in it.
@main
struct Main: App {
    static let sites: [any Site] = [Hello()]
}
