declare const brand: unique symbol;

/** A `T` that only its border constructor can make; the name exists in types alone. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
