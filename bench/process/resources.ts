import { readFileSync, writeFileSync } from 'node:fs';

/** Ticks of processor time a second: USER_HZ, 100 on every Linux. */
const TICKS_PER_SECOND = 100;

/** Highest resident memory of a process since it began or since {@link forgetPeak}, in bytes (Linux). */
export function peakMemoryBytes(pid: number): number {
  return fieldBytes(pid, 'VmHWM');
}

/** Resident memory of a process now, in bytes (Linux). */
export function memoryBytes(pid: number): number {
  return fieldBytes(pid, 'VmRSS');
}

/** Lets the peak begin anew at what is resident now. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** Processor time that a process has used, in seconds: what a busy machine disturbs least. */
export function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program, in brackets, may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function fieldBytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  if (kibibytes === undefined)
    throw new Error(`/proc/${pid}/status has no ${field}: the bench runs on Linux.`);
  return Number(kibibytes) * 1024;
}
