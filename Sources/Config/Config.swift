// Config
import Yams
