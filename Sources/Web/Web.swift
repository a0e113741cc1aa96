// What a site author meets in this module's declarations comes along with it.
@_exported public import FoundationEssentials
@_exported public import HTTP
@_exported public import Templates
