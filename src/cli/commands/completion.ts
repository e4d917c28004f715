/** `intake completion bash|zsh|fish|powershell`: the script that completes commands, options and their values on Tab. */
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';

/** For its help alone: with every command in the program, the library makes it itself. */
export function define(program: Command): void {
  program.command('completion').argument('<shell>', 'bash, zsh, fish or powershell');
  program.command('complete').argument('[words...]');
}

/** @param program with every command. */
export function defineCompletion(program: Command): void {
  tab(program, { completionCommandName: 'completion' });
}
