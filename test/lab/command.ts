import { execFile } from 'node:child_process'

/** Runs a program to its end. Rejects with its standard error when it cannot be started or does not exit with 0. */
export function runCommand(program: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { maxBuffer: 256 << 20, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${program} ${args.join(' ')}: ${stderr.trim() || error.message}`))
    })
    // A program that does not read its input closes the pipe; its exit code tells what matters.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}
