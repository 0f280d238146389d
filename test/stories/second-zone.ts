import { quickstart } from './cloud.ts'

/** The quickstart's zone under other names and addresses, with the same offerings. */
export const secondZone = quickstart
  .replaceAll('zone-a', 'zone-b')
  .replaceAll(/\b(pod|cluster|host|primary|secondary|public)-(\d)\b/g, '$1-b$2')
  .replaceAll('namespace: shop', 'namespace: shop-b')
  .replaceAll('{name: shop}', '{name: shop-b}')
  .replaceAll('172.16.10.', '172.16.20.')
  .replaceAll('192.0.2.', '198.51.100.')
