import Crypto
// Web
import GRDB
