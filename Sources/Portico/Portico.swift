// Portico
import ArgumentParser
