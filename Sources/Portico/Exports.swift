// What a site author imports is `Portico` alone.
@_exported public import Gateway
@_exported public import Web
