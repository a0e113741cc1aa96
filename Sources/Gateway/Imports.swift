import Logging
import NIOPosix
