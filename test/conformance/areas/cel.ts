import { area } from '../case.ts'

export const cel = area('cel', {})
