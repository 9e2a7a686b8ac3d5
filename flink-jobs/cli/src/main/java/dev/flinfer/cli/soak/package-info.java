/**
 * The command that disturbs the job for a while and accounts for every record: in this process, or
 * in separate processes, which {@link dev.flinfer.cli.soak.SoakProcess} runs.
 */
package dev.flinfer.cli.soak;
