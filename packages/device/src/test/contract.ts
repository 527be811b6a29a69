/** One thing that every implementation of a port does, told as a sentence that could be false. `run` rejects where it is. */
export type Clause<Subject> = { readonly name: string; run(subject: Subject): Promise<void> };

/** Whether `work` rejects. */
export async function rejects(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch {
    return true;
  }
}
