import Polls
import Portico
