/**
 * Entry of the command line: hands the arguments over and turns the outcome into the exit code.
 */
import { runCommandLine } from './command-line'

// Descriptors of a terminal, a pipe or a file are written at once on Linux, so nothing is lost by leaving now; whatever
// still waits (a helper that is being ended, a signal handler) would only hold the prompt back.
process.exit(await runCommandLine(process.argv.slice(2)))
