import { area } from '../case.ts'

export const ownership = area('ownership', {})
