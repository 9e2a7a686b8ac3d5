/** The tour: prompts through a broker, a job and the demo model, and a report. */
package dev.flinfer.cli.quickstart;
